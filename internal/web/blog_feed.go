package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"time"

	"vestnik/internal/app"
)

// feedPath is the feed of the blog, and feedPosts how many of the latest posts it has:
// more than anybody publishes while a reader is away. Chosen.
const (
	feedPath  = "/blog/feed.xml"
	feedPosts = 20
)

// rss is a document in RSS 2.0 (www.rssboard.org/rss-specification), with what its
// advisory board recommends besides: the feed's own address, and whole texts.
type rss struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	Content string     `xml:"xmlns:content,attr"`
	DC      string     `xml:"xmlns:dc,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Self        rssSelf   `xml:"atom:link"`
	Description string    `xml:"description"`
	Language    string    `xml:"language"`
	Built       string    `xml:"lastBuildDate,omitempty"`
	Items       []rssItem `xml:"item"`
}

type rssSelf struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
}

type rssItem struct {
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	GUID        string `xml:"guid"` // a permalink: a post keeps its address
	Published   string `xml:"pubDate"`
	Author      string `xml:"dc:creator,omitempty"`
	Description string `xml:"description"`
	Text        string `xml:"content:encoded"`
}

// feed shows the latest posts to programs that people read many blogs with. They ask
// often, so a feed that they have already is not sent again.
func feed(r *request) error {
	articles, err := r.App.LatestArticles(r.in.Context(), feedPosts)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	if err := xml.NewEncoder(&out).Encode(r.rss(articles)); err != nil {
		return err
	}
	sum := sha256.Sum256(out.Bytes())
	h := r.out.Header()
	h.Set("Content-Type", "application/rss+xml; charset=utf-8")
	h.Set("Cache-Control", "no-cache") // kept, but asked about
	h.Set("Vary", "Accept-Language")
	h.Set("ETag", `"`+hex.EncodeToString(sum[:10])+`"`)
	http.ServeContent(r.out, r.in, "", time.Time{}, bytes.NewReader(out.Bytes()))
	return nil
}

func (r *request) rss(articles []app.Article) rss {
	base := r.App.BaseURL
	channel := rssChannel{
		Title: r.T("blog.feed_title"), Link: base + "/blog", Description: r.T("blog.lead"), Language: r.Lang(),
		Self: rssSelf{base + feedPath, "self", "application/rss+xml"},
	}
	for _, a := range articles {
		text := a.HTML
		if a.Cover != "" {
			text = `<p><img src="` + base + picturePath(a.Cover, false) + `" alt=""></p>` + text
		}
		link := base + articlePath(a.Slug)
		channel.Items = append(channel.Items, rssItem{
			Title: a.Title, Link: link, GUID: link, Published: a.PublishedAt.Format(time.RFC1123Z), Author: a.AuthorName,
			Description: a.Lead, Text: text,
		})
	}
	if len(articles) > 0 {
		channel.Built = articles[0].PublishedAt.Format(time.RFC1123Z)
	}
	return rss{
		Version: "2.0", Atom: "http://www.w3.org/2005/Atom", Content: "http://purl.org/rss/1.0/modules/content/",
		DC: "http://purl.org/dc/elements/1.1/", Channel: channel,
	}
}
