"""Taking over the opportunities of another CRM: what a row of its export means here, as pure rules."""
