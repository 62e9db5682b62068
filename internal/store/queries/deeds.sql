-- name: NextDeed :one
update deed_chain set number = number + 1 returning number, hash;

-- name: PutDeed :exec
insert into deeds (
    number, at, actor_id, email, from_address, action, kind, thing_id, thing, owner_id, why, was, became, hash
) values (
    @number, @at, @actor_id, @email, @from_address, @action, @kind, @thing_id, @thing, @owner_id, @why, @was, @became, @hash
);

-- name: LinkDeed :exec
update deed_chain set hash = @hash;

-- name: DeedChain :one
select number, hash from deed_chain;

-- name: DeedsAfter :many
select * from deeds where number > @number order by number limit cast(sqlc.arg(most) as bigint);

-- name: LastDeed :one
select cast(coalesce(max(number), 0) as bigint) as number from deeds;
