"""Discounts: what a partner may give by itself, what needs approval, and what a grant covers."""
