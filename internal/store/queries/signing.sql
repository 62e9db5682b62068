-- name: SigningKeys :many
select * from signing_keys order by domain, created_at desc, algorithm desc, selector;

-- name: CreateSigningKey :exec
insert into signing_keys (domain, selector, algorithm, public_key, private_sealed, in_use, created_at)
values (
    @domain, @selector, @algorithm, @public_key, @private_sealed,
    case when exists (
        select 1 from signing_keys k where k.domain = @domain and k.algorithm = @algorithm and k.in_use = 1
    ) then 0 else 1 end,
    @created_at
);

-- name: UseSigningKey :execrows
update signing_keys
set in_use = case when signing_keys.selector = @selector then 1 else 0 end
where signing_keys.domain = @domain
    and signing_keys.algorithm = (
        select k.algorithm from signing_keys k where k.domain = @domain and k.selector = @selector
    );

-- name: DeleteSigningKey :execrows
delete from signing_keys where domain = @domain and selector = @selector;
