//! A report as one page that needs nothing else: no script, no font, no network.

use super::block::{Block, Entry, Grid, Plots, Story};
use super::{Report, Summary, story};

/// Writes a report.
pub(super) fn render(report: &Report, summary: &Summary) -> String {
    write(&story::tell(report, summary))
}

fn write(story: &Story) -> String {
    let title = escape(&story.title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        include_str!("page.css")
    );
    // The contents stand before the first section, below what concerns all of them.
    let first_section = story.blocks.iter().position(|block| matches!(block, Block::Section(_)));
    let mut writer = Writer { page: String::new(), sections: 0, plots: 0 };
    for (index, block) in story.blocks.iter().enumerate() {
        if Some(index) == first_section {
            writer.page += &contents(story);
        }
        writer.write(block);
    }
    page += &writer.page;
    page + "</main>\n</body>\n</html>\n"
}

fn contents(story: &Story) -> String {
    let titles = story.blocks.iter().filter_map(|block| match block {
        Block::Section(title) => Some(title),
        _ => None,
    });
    let links =
        titles.zip(1..).map(|(title, number)| format!("<li><a href=\"#s{number}\">{}</a></li>\n", escape(title)));
    format!("<nav aria-label=\"Contents\">\n<ul>\n{}</ul>\n</nav>\n", links.collect::<String>())
}

/// A page being written, with what has been numbered in it.
struct Writer {
    page: String,
    sections: usize,
    plots: usize,
}

impl Writer {
    fn write(&mut self, block: &Block) {
        match block {
            Block::Section(title) => {
                self.sections += 1;
                self.page += &format!("<h2 id=\"s{}\">{}</h2>\n", self.sections, escape(title));
            }
            Block::Subsection(title) => self.page += &format!("<h3>{}</h3>\n", escape(title)),
            Block::Paragraph(text) => self.page += &format!("<p>{}</p>\n", escape(text)),
            Block::Warning(what, details) => {
                let details = if details.is_empty() { String::new() } else { list(details) };
                self.page += &format!(
                    "<div class=\"warning\" role=\"alert\">\n<p><strong>{}</strong></p>\n{details}</div>\n",
                    escape(what)
                );
            }
            Block::List(lines) => self.page += &list(lines),
            Block::Facts(facts) => {
                let fact = |(name, what): &(&str, String)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(what));
                self.page += &format!("<dl>\n{}</dl>\n", facts.iter().map(fact).collect::<String>());
            }
            Block::Grid(grid) => self.page += &table(grid),
            Block::Plots(plots) => self.write_plots(plots),
        }
    }

    fn write_plots(&mut self, plots: &Plots) {
        let mut figures = String::from("<div class=\"plots\">\n");
        for plot in &plots.plots {
            self.plots += 1;
            let svg = plot.to_svg(self.plots);
            figures += &format!("<figure>\n<figcaption>{}</figcaption>\n{svg}</figure>\n", escape(&plot.title));
        }
        figures += "</div>\n";
        self.page += &if plots.title.is_empty() {
            figures
        } else {
            let open = if plots.open { " open" } else { "" };
            format!("<details{open}>\n<summary>{}</summary>\n{figures}</details>\n", escape(&plots.title))
        };
    }
}

fn list(lines: &[String]) -> String {
    let lines = lines.iter().map(|line| format!("<li>{}</li>\n", escape(line)));
    format!("<ul>\n{}</ul>\n", lines.collect::<String>())
}

fn table(grid: &Grid) -> String {
    let caption = escape(&grid.caption);
    let columns = grid.columns.iter().map(|column| format!("<th scope=\"col\">{}</th>", escape(column)));
    let row = |(label, entries): &(String, Vec<Entry>)| {
        let entries: String = entries.iter().map(cell).collect();
        format!("<tr><th scope=\"row\">{}</th>{entries}</tr>\n", escape(label))
    };
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n<table>\n\
         <caption><span>{caption}</span></caption>\n<thead>\n<tr><th scope=\"col\">{}</th>{}</tr>\n</thead>\n\
         <tbody>\n{}</tbody>\n</table>\n</div>\n",
        escape(&grid.label),
        columns.collect::<String>(),
        grid.rows.iter().map(row).collect::<String>()
    )
}

fn cell(entry: &Entry) -> String {
    let text = escape(&entry.text);
    let text = if entry.strong { format!("<b>{text}</b>") } else { text };
    let notes: String = entry.notes.iter().map(|note| format!("<small>{}</small>", escape(note))).collect();
    format!("<td>{text}{notes}</td>")
}

/// Takes its meaning from everything that has one, in text and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_html_is_escaped() {
        assert_eq!(escape("<a href='x' b=\"&\">"), "&lt;a href=&#39;x&#39; b=&quot;&amp;&quot;&gt;");
    }

    #[test]
    fn the_contents_link_to_every_section() {
        let blocks = vec![Block::Section("one".into()), Block::Paragraph("text".into()), Block::Section("two".into())];
        let page = write(&Story { title: "title".into(), blocks });
        for (number, title) in [(1, "one"), (2, "two")] {
            assert!(page.contains(&format!("<a href=\"#s{number}\">{title}</a>")), "{page}");
            assert!(page.contains(&format!("<h2 id=\"s{number}\">{title}</h2>")), "{page}");
        }
    }

    #[test]
    fn the_page_loads_nothing() {
        let page = write(&Story { title: "title".into(), blocks: Vec::new() });
        for source in ["<script", "<link", "<img", "<iframe", "src=\"", "url(", "@import", "http:", "https:"] {
            assert!(!page.contains(source), "{source}");
        }
    }
}
