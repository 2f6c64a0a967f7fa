"""What bounds a climb: the time that it may take, and the requests that it leaves out."""
