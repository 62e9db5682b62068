-- name: PutPicture :exec
insert into pictures (hash, type, width, height, small, large, used_at)
values (@hash, @type, @width, @height, @small, @large, @used_at)
on conflict (hash) do update set used_at = excluded.used_at;

-- name: LargePicture :one
select type, large from pictures where hash = @hash;

-- name: SmallPicture :one
select type, small from pictures where hash = @hash;

-- name: CountPicture :one
select count(*) from pictures where hash = @hash;

-- name: DeleteUnusedPictures :execrows
delete from pictures
where used_at < @before
    and not exists (select 1 from accounts where avatar = pictures.hash)
    and not exists (select 1 from post_pictures p where p.hash = pictures.hash)
    and not exists (select 1 from account_pictures a where a.hash = pictures.hash);

-- name: PutAccountPicture :exec
insert into account_pictures (account_id, hash) values (@account_id, @hash) on conflict do nothing;

-- name: AccountPictures :many
select hash from account_pictures where account_id = @account_id order by hash;

-- name: SetAvatar :execrows
update accounts set avatar = @avatar where id = @id;

-- name: SetTheme :execrows
update accounts set theme = @theme where id = @id;
