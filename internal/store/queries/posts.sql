-- name: CreatePost :exec
insert into posts (
    id, slug, title, lead, cover, author_id, published_at, search, created_at, updated_at, body
) values (
    @id, @slug, @title, @lead, @cover, @author_id, @published_at, @search, @created_at, @created_at, @body
);

-- name: Post :one
select * from posts where id = @id;

-- name: PostBySlug :one
select * from posts where slug = @slug;

-- name: UpdatePost :execrows
update posts
set title = @title, lead = @lead, cover = @cover, published_at = @published_at, search = @search,
    updated_at = @updated_at, body = @body
where id = @id and updated_at = @was;

-- name: DeletePost :execrows
delete from posts where id = @id;

-- name: TouchPostPictures :exec
update pictures set used_at = @used_at where hash in (select hash from post_pictures where post_id = @post_id);

-- name: DropPostPictures :exec
delete from post_pictures where post_id = @post_id;

-- name: PutPostPicture :exec
insert into post_pictures (post_id, hash) values (@post_id, @hash) on conflict do nothing;

-- name: RandomPosts :many
select id from posts where published_at > 0 and published_at <= @now order by random() limit @most;

-- name: VisitSecret :one
select secret from visit_days where day = @day;

-- name: PutVisitSecret :exec
insert into visit_days (day, secret) values (@day, @secret) on conflict do nothing;

-- name: Visits :many
select visitor from visits where day = @day and post_id = @post_id and visitor between @lowest and @highest;

-- name: PutVisit :execrows
insert into visits (day, post_id, visitor) values (@day, @post_id, @visitor) on conflict do nothing;

-- name: CountView :execrows
update posts set views = views + 1 where id = @id;

-- name: DeleteVisits :exec
delete from visits where day < @day;

-- name: DeleteVisitSecrets :exec
delete from visit_days where day < @day;
