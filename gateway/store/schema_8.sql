-- Which review exit a stay was paired with, and the other way round: whoever turns back takes both back.

ALTER TABLE session ADD COLUMN pair TEXT NOT NULL DEFAULT '';
