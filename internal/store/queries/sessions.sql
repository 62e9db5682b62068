-- name: EndEra :one
update accounts set era = era + 1 where id = @id returning era;

-- name: AccountSessions :many
select id, token_hash, address, agent, first_seen, last_seen from sessions
where account_id = @account_id and ended = 0 and expires_at > @now and last_seen > 0
order by last_seen desc, id;

-- name: EndSessionOf :execrows
update sessions set ended = 1, data = '' where account_id = @account_id and id = @id and ended = 0;

-- name: EndOtherSessions :execrows
update sessions set ended = 1, data = ''
where account_id = @account_id and token_hash <> @kept_hash and ended = 0;
