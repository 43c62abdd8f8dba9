//! Where an HTML page leads a browser by itself: to a URL that it names, or by a form that it submits.
//!
//! The tokenizer is that of the HTML standard, so what stands in comments, in scripts, in titles or in
//! `noscript` is not taken for tags. No script is run; what plain words say is read in [`super::script`].

use std::collections::BTreeMap;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};
use url::Url;

use super::form::Form;
use super::hop::{By, Hop};
use super::refresh::Refresh;
use super::script::{self, Act, Which};

/// What of a page can lead on, in the order of its source.
#[derive(Debug, Default)]
struct Page {
    base: Option<String>,
    refresh: Option<Refresh>,
    scripts: Vec<String>,
    onload: Option<String>,
    forms: Vec<Form>,
    /// Fields that stand apart from their form and name it.
    apart: Vec<(String, Field)>,
}

type Field = (String, String);

/// Where this page leads on, if it does.
pub(super) fn leads_on(html: &str, at: &Url) -> Option<Hop> {
    Reader::read(html).leads_on(at)
}

impl Page {
    fn leads_on(mut self, at: &Url) -> Option<Hop> {
        let base = self.base.as_deref().and_then(|base| at.join(base.trim_ascii()).ok());
        let base = base.unwrap_or_else(|| at.clone());
        for (owner, field) in std::mem::take(&mut self.apart) {
            if let Some(form) =
                self.forms.iter_mut().find(|form| !owner.is_empty() && form.names.first() == Some(&owner))
            {
                form.fields.push(field);
            }
        }
        let acts = self.scripts.iter().chain(&self.onload).filter_map(|text| script::act(text));
        let by_script = |act: Act| match act {
            Act::Go(to) => base.join(to.trim_ascii()).ok().map(|url| Hop::new(url, By::Script)),
            Act::Submit(which) => self.form(&which)?.sent(at, &base),
        };
        let by_refresh = || self.refresh.as_ref()?.leads_on(at, &base);
        let hop = acts.into_iter().find_map(by_script).or_else(by_refresh);
        hop.filter(|hop| matches!(hop.url().scheme(), "http" | "https"))
    }

    /// The form that a script means: the first that it names, or the only one there is.
    fn form(&self, which: &[Which]) -> Option<&Form> {
        let named = which.iter().find_map(|which| match which {
            Which::Numbered(number) => self.forms.get(*number),
            Which::Named(name) => self.forms.iter().find(|form| form.names.contains(name)),
        });
        named.or_else(|| self.forms.first().filter(|_| which.is_empty() || self.forms.len() == 1))
    }
}

/// Attributes of a tag; names in lower case.
type Attributes = BTreeMap<String, String>;

/// Reads a page's tags in order.
#[derive(Debug, Default)]
struct Reader {
    page: Page,
    /// Whether the last form is still open.
    in_form: bool,
    /// Depth within `template`, whose content is no part of the page.
    in_template: usize,
    /// Whose text comes next.
    text_of: Option<TextOf>,
    /// The `select` that is open.
    select: Option<Select>,
}

#[derive(Debug)]
enum TextOf {
    Script(String),
    Area(Attributes, String),
    Choice(String),
}

#[derive(Debug)]
struct Select {
    attributes: Attributes,
    first: Option<String>,
    selected: Option<String>,
    is_selected: bool,
}

impl Reader {
    fn read(html: &str) -> Page {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let mut reader = Self::default();
        for token in Tokenizer::new_with_emitter(html, emitter).flatten() {
            match token {
                Token::StartTag(tag) => {
                    let attributes = tag
                        .attributes
                        .into_iter()
                        .map(|(name, value)| (text(&name), text(&value.value)))
                        .collect();
                    reader.opens(&text(&tag.name), attributes);
                }
                Token::EndTag(tag) => reader.closes(&text(&tag.name)),
                Token::String(letters) => reader.says(&text(&letters.value)),
                Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        reader.page
    }

    fn opens(&mut self, name: &str, attributes: Attributes) {
        if name == "template" {
            self.in_template += 1;
        }
        if self.in_template > 0 {
            return;
        }
        let page = &mut self.page;
        match name {
            "base" if page.base.is_none() => page.base = attributes.get("href").cloned(),
            "meta" if page.refresh.is_none() && is(&attributes, "http-equiv", "refresh") => {
                page.refresh = attributes.get("content").and_then(|content| Refresh::read(content));
            }
            "body" if page.onload.is_none() => page.onload = attributes.get("onload").cloned(),
            // A script of another kind is data, and one elsewhere is not fetched.
            "script" if is_javascript(&attributes) => self.text_of = Some(TextOf::Script(String::new())),
            "form" if !self.in_form => {
                self.in_form = true;
                page.forms.push(form(&attributes));
            }
            "input" => self.input(&attributes),
            "textarea" => self.text_of = Some(TextOf::Area(attributes, String::new())),
            "select" => {
                self.select = Some(Select { attributes, first: None, selected: None, is_selected: false });
            }
            "option" => self.option(&attributes),
            _ => {}
        }
    }

    fn closes(&mut self, name: &str) {
        if name == "template" {
            self.in_template = self.in_template.saturating_sub(1);
        }
        match (name, self.text_of.take()) {
            ("script", Some(TextOf::Script(script))) => self.page.scripts.push(script),
            ("textarea", Some(TextOf::Area(attributes, value))) => {
                // A line feed right behind the tag is not of the value.
                self.field(&attributes, value.strip_prefix('\n').unwrap_or(&value).to_owned());
            }
            ("option", Some(TextOf::Choice(value))) => self.choice(&value),
            ("select", open) => {
                if let Some(TextOf::Choice(value)) = open {
                    self.choice(&value);
                }
                if let Some(select) = self.select.take()
                    && let Some(value) = select.selected.or(select.first)
                {
                    self.field(&select.attributes, value);
                }
            }
            ("form", _) => self.in_form = false,
            (_, other) => self.text_of = other,
        }
    }

    fn says(&mut self, letters: &str) {
        match &mut self.text_of {
            Some(TextOf::Script(value) | TextOf::Area(_, value) | TextOf::Choice(value)) => {
                value.push_str(letters);
            }
            None => {}
        }
    }

    /// Takes up a field as it stands: only what a browser sends when nobody has touched anything.
    fn input(&mut self, attributes: &Attributes) {
        let kind = attributes.get("type").map(|kind| kind.to_ascii_lowercase()).unwrap_or_default();
        let value = attributes.get("value").cloned();
        match kind.as_str() {
            "submit" | "button" | "image" | "reset" | "file" => {}
            "checkbox" | "radio" => {
                if attributes.contains_key("checked") {
                    self.field(attributes, value.unwrap_or_else(|| "on".to_owned()));
                }
            }
            _ => self.field(attributes, value.unwrap_or_default()),
        }
    }

    /// An option's value is its attribute, or its text.
    fn option(&mut self, attributes: &Attributes) {
        if let Some(TextOf::Choice(value)) = self.text_of.take() {
            self.choice(&value);
        }
        let Some(select) = &mut self.select else { return };
        select.is_selected = attributes.contains_key("selected");
        match attributes.get("value").cloned() {
            Some(value) => self.choice(&value),
            None => self.text_of = Some(TextOf::Choice(String::new())),
        }
    }

    fn choice(&mut self, value: &str) {
        let Some(select) = &mut self.select else { return };
        let value = value.trim_ascii().to_owned();
        if std::mem::take(&mut select.is_selected) {
            select.selected = Some(value.clone());
        }
        select.first.get_or_insert(value);
    }

    fn field(&mut self, attributes: &Attributes, value: String) {
        let Some(name) = attributes.get("name").filter(|name| !name.is_empty()) else { return };
        if attributes.contains_key("disabled") {
            return;
        }
        let field = (name.clone(), value);
        match attributes.get("form") {
            Some(owner) => self.page.apart.push((owner.clone(), field)),
            None if self.in_form => {
                if let Some(form) = self.page.forms.last_mut() {
                    form.fields.push(field);
                }
            }
            None => {}
        }
    }
}

/// A form with no fields yet; its `id` comes first of its names.
fn form(attributes: &Attributes) -> Form {
    let of = |name: &str| attributes.get(name).cloned().unwrap_or_default();
    let names = vec![of("id"), of("name")];
    Form { names, action: of("action"), method: of("method"), enctype: of("enctype"), fields: Vec::new() }
}

fn is(attributes: &Attributes, name: &str, value: &str) -> bool {
    attributes.get(name).is_some_and(|given| given.trim_ascii().eq_ignore_ascii_case(value))
}

fn is_javascript(attributes: &Attributes) -> bool {
    let kind = attributes.get("type").map(|kind| kind.trim_ascii().to_ascii_lowercase());
    let plain = ["", "module", "text/javascript", "application/javascript"];
    kind.is_none_or(|kind| plain.contains(&kind.as_str())) && !attributes.contains_key("src")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(html: &str) -> Option<String> {
        let hop = leads_on(html, &Url::parse("https://a.example/pay/page?p=1").unwrap())?;
        Some(match hop.form() {
            Some(form) => format!("POST {} {form}", hop.url()),
            None => format!("GET {}", hop.url()),
        })
    }

    #[test]
    fn a_refresh_leads_on() {
        for (html, to) in [
            ("<meta http-equiv=refresh content='0; url=next'>", "https://a.example/pay/next"),
            (
                "<META HTTP-EQUIV=\"Refresh\" CONTENT=\"0;URL=/n?a=1&amp;b=&#x32;\">",
                "https://a.example/n?a=1&b=2",
            ),
            (
                "<base href='https://b.example/x/'><meta content='0;next' http-equiv='REFRESH'>",
                "https://b.example/x/next",
            ),
            (
                "<base target=_top><base href='/y/'><base href='/z/'><meta http-equiv=refresh content='0;url=n'>",
                "https://a.example/y/n",
            ),
            ("<meta http-equiv=refresh content=0>", "https://a.example/pay/page?p=1"),
        ] {
            assert_eq!(next(html).as_deref(), Some(format!("GET {to}").as_str()), "{html}");
        }
    }

    #[test]
    fn what_only_looks_like_a_tag_leads_nowhere() {
        const TAG: &str = "<meta http-equiv=refresh content='0;url=/x'>";
        for html in [
            format!("<!-- {TAG} -->"),
            format!("<script>var a = \"{TAG}\"</script>"),
            format!("<title>{TAG}</title>"),
            format!("<textarea>{TAG}</textarea>"),
            format!("<noscript>{TAG}</noscript>"),
            format!("<template>{TAG}<script>location='/x'</script></template>"),
            format!("<p title=\"{TAG}\">"),
            "<meta http-equiv=refresh content='0;url=javascript:go()'>".to_owned(),
            "<meta name=refresh content='0;url=/x'><a href='/x'>on</a>".to_owned(),
            "<script type='application/json'>location='/x'</script><script src='/a.js'>location='/x'</script>".to_owned(),
            "<form action='/x' method=post></form>".to_owned(),
            String::new(),
        ] {
            assert_eq!(next(&html), None, "{html}");
        }
    }

    const FORM: &str = "<form id=pay action=\"/go?a=1&amp;b=2\" method=POST>\
        <input type=hidden name=PaReq value=\"a+b&quot;&amp;&#233;\"><input name=plain value=1>\
        <input type=hidden name=off value=1 disabled><input type=checkbox name=no><input type=checkbox name=yes checked>\
        <textarea name=area>\n x\n&lt;b></textarea><input type=submit name=button value=Pay><input type=hidden value=unnamed>\
        <select name=land><option>AT<option selected value=SE>Sweden<option>NO</select>\
        <select name=first><option>one</option><option>two</option></select>\
        <noscript><input type=submit name=continue></noscript></form><input type=hidden name=out value=1>\
        <input type=hidden name=apart value=2 form=pay>";
    const SENT: &str = "POST https://a.example/go?a=1&b=2 \
        PaReq=a%2Bb%22%26%C3%A9&plain=1&yes=on&area=+x%0D%0A%3Cb%3E&land=SE&first=one&apart=2";

    #[test]
    fn a_form_that_submits_itself_is_sent_as_it_stands() {
        for html in [
            format!("<body onload=\"document.forms[0].submit()\">{FORM}"),
            format!("<body onload='document.pay.submit();'>{FORM}"),
            format!("{FORM}<script>document.getElementById('pay').submit()</script>"),
            format!("{FORM}<script>\n<!--\ndocument.forms['pay'].submit();\n// -->\n</script>"),
            format!("<script>window.onload = function () {{ document.forms[0].submit(); }}</script>{FORM}"),
            format!("<script>document.getElementById('spinner').hidden = false; f.submit()</script>{FORM}"),
        ] {
            assert_eq!(next(&html).as_deref(), Some(SENT), "{html}");
        }
        let two = format!(
            "<form name=other action=/other></form>{FORM}<script>document.forms.pay.submit()</script>"
        );
        assert_eq!(next(&two).as_deref(), Some(SENT));
        let get = "<form action='/go?lost=1'><input type=hidden name=a value='b c'></form><script>document.forms[0].submit()</script>";
        assert_eq!(next(get).as_deref(), Some("GET https://a.example/go?a=b+c"));
        let none = format!("{FORM}<form id=b></form><script>document.getElementById('c').submit()</script>");
        assert_eq!(next(&none), None);
    }

    #[test]
    fn a_script_goes_before_a_refresh() {
        let html = "<meta http-equiv=refresh content='5;url=/slow'><script>window.location.replace('next\\u003fa=1')</script>";
        assert_eq!(next(html).as_deref(), Some("GET https://a.example/pay/next?a=1"));
    }
}
