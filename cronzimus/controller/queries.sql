-- hello --
SELECT 1;
