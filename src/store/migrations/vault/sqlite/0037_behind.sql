-- `records` of `find_posting`: a place may stand whole where a step would stand, in two bytes that both have the top bit set (its
-- lower seven bits, its higher seven), so that places can be put behind others that were not read. They may be less than those
-- before them. A program that does not know this form must not open what is written in it.
SELECT 1;
