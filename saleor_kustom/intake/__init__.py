"""From the bytes of a delivery to a verified fulfillment: no I/O."""
