-- +goose Up
-- First tries are leased by the stretch: of a run's deliveries in the order of their
-- contacts, those up to leased_to have been handed out, and a lease says to whom. Such
-- a delivery waits with due_at 0 and is not touched until its outcome is settled. All
-- others are due by the clock and leased one by one.
create table leases (
    run_id bigint not null references runs (id) on delete cascade,
    after_id bigint not null,
    to_id bigint not null,
    node_id bigint not null,
    epoch bigint not null,
    primary key (run_id, to_id)
);
alter table runs add column leased_to bigint not null default 0;
drop index deliveries_due;
create index deliveries_due on deliveries (run_id, due_at, id) where state < 2 and due_at > 0;
-- Nodes that do not know of stretches must not lease any more: they would take what is in
-- one. To them it looks as if a later start had taken their place.
update nodes set epoch = epoch + 1;

-- +goose Down
update deliveries set state = 2,
    lease_node = (select l.node_id from leases l
        where l.run_id = deliveries.run_id and l.after_id < deliveries.contact_id and l.to_id >= deliveries.contact_id),
    lease_epoch = (select l.epoch from leases l
        where l.run_id = deliveries.run_id and l.after_id < deliveries.contact_id and l.to_id >= deliveries.contact_id)
where state = 0 and due_at = 0 and exists (select 1 from leases l
    where l.run_id = deliveries.run_id and l.after_id < deliveries.contact_id and l.to_id >= deliveries.contact_id);
update deliveries set due_at = created_at where state <= 2 and due_at = 0;
drop index deliveries_due;
create index deliveries_due on deliveries (run_id, due_at, id) where state < 2;
alter table runs drop column leased_to;
drop table leases;
