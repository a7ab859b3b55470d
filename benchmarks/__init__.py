"""What jhext costs beside plain KubeSpawner doing the same work; nothing here asserts on time."""
