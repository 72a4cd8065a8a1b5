"""The real stack: servers, processes, and a network of ours between every two of them."""
