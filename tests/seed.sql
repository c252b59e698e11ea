-- A small shop with values nobody should see by accident. Every one of them is made up.
CREATE TABLE users (
    id integer PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL,
    ssn text,
    card text,
    city text
);
INSERT INTO users VALUES
    (1, 'Ada Brook', 'ada.brook@example.com', '078-05-1120', '4111111111111111', 'Lisbon'),
    (2, 'Ben Ortiz', 'ben.ortiz@example.org', '219-09-9999', '5500005555555559', 'Porto'),
    (3, 'Cleo Marsh', 'cleo@example.net', NULL, '340000000000009', 'Faro');
CREATE TABLE orders (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    total numeric(10, 2) NOT NULL,
    status text NOT NULL,
    note text
);
INSERT INTO orders VALUES
    (1, 1, 42.50, 'paid', 'leave at the door'),
    (2, 1, 9.99, 'cancelled', 'write to ada.brook@example.com'),
    (3, 2, 120.00, 'paid', NULL),
    (4, 3, 15.00, 'cancelled', 'card 4111 1111 1111 1111 was refused');
CREATE VIEW customers AS SELECT id, name, email AS contact FROM users;
