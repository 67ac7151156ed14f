"""What other tools keep of a live account, read into objects that manifests can be written for. Nothing is written."""
