notification_rules "x" {} # ERROR: Unsupported block type
file "x" {} # ERROR: Unsupported block type
