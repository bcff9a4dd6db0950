"""A throwaway certificate authority for the demo, the tests and people trying things out. Never for production."""
