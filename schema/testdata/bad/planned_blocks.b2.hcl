file "x" {} # ERROR: Unsupported block type
