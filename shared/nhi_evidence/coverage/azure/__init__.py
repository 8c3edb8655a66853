"""Whether Azure and Entra record something: diagnostic settings by what they really switch on."""
