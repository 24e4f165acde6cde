"""What is clicked: pages in the browser, with the visitor's own token. A client of the cloud, as ``cli`` is."""
