-- +goose Up
-- How large a share of its owner's sending speed a mailing gets, and a run of it.
alter table mailings add column weight text not null default 'normal';
alter table runs add column weight text not null default 'normal';

-- +goose Down
alter table runs drop column weight;
alter table mailings drop column weight;
