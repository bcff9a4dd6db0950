"""Where private keys live: one file each. Only this package holds them (and the lab its throwaway ones)."""
