-- What settlement lacked when it first shipped.
DO $$ BEGIN END $$;
