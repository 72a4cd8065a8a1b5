"""RabbitMQ: tells workers that there is work. What is to be done stands in PostgreSQL."""
