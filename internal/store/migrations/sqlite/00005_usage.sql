-- +goose Up
-- How many mails a road was granted in each minute, so that all nodes keep its
-- limits together. The row of minute 0 is the road's lock. A road has no row of its
-- own when it is that of the settings, so nothing is referred to.
create table usage (
    road_id integer not null,
    minute integer not null,
    mails integer not null,
    primary key (road_id, minute)
);

-- +goose Down
drop table usage;
