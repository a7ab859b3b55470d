"""A configuration outside a hub: what it would decide, without a cluster and without a network."""
