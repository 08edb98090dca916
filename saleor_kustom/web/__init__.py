"""The HTTP edge: it verifies, stores and answers; it cannot charge."""
