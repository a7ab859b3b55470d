"""What stands in the way of a hub: looked at from outside, and told with how to mend it."""
