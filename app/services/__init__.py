"""What we do: verbs on the nouns, which load, ask the domain, and write all that follows."""
