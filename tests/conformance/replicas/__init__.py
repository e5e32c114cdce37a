"""The suite through a load balancer, over three servers on one database."""
