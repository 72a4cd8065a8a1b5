"""`python create_tables.py`: the schema, in an empty database."""

from database import engine
from models import Base

if __name__ == "__main__":
    Base.metadata.create_all(engine)
