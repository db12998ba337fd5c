-- Every committed event, one column a field of the catalogue.
CREATE VIEW events AS SELECT * FROM weir_events();

-- Without what a process of Weir says about itself.
CREATE VIEW logs AS
SELECT * FROM events
WHERE NOT (pipeline_type = 'external' AND pipeline_id = 'weir');
