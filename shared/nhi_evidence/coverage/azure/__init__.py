"""Whether Azure and Entra record something: what diagnostic settings really enable."""
