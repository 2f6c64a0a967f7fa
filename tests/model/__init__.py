"""People, speakers and networks as the model-based test of the player knows them."""
