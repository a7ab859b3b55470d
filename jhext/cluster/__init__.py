"""What a hub needs of the cluster: rights, a network for its servers, images on the nodes."""
