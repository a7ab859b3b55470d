"""WHAT a person may start: profiles, the rules on them, and the decision."""
