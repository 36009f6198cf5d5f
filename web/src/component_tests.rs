//! Components in a real browser: what a person sees after what a person does.

use crate::app::{App, Props};
use crate::draw::cluster::ClusterPicture;
use crate::words::Words;
use podscope_session::view::*;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Element, HtmlElement, HtmlTextAreaElement, InputEvent};
use yew::prelude::*;

/// An element of the page in which something is mounted.
struct Mount(Element);

impl Mount {
    fn new() -> Mount {
        let document = web_sys::window()
            .and_then(|window| window.document())
            .expect("a document");
        let element = document.create_element("div").expect("an element");
        let body = document.body().expect("a body");
        body.append_child(&element).expect("a child");
        Mount(element)
    }

    /// The page itself.
    async fn page() -> Mount {
        let mount = Mount::new();
        yew::Renderer::<App>::with_root_and_props(mount.0.clone(), Props::default()).render();
        turn().await;
        mount
    }

    fn all(&self, selector: &str) -> Vec<Element> {
        let list = self.0.query_selector_all(selector).expect("a selector");
        let one = |i| list.get(i)?.dyn_into::<Element>().ok();
        (0..list.length()).filter_map(one).collect()
    }

    fn one(&self, selector: &str) -> Element {
        let found = self.0.query_selector(selector).expect("a selector");
        found.unwrap_or_else(|| panic!("{selector} is there"))
    }

    fn text(&self, selector: &str) -> String {
        self.one(selector).text_content().unwrap_or_default()
    }

    async fn click(&self, selector: &str) {
        let element = self.one(selector).dyn_into::<HtmlElement>();
        element.expect("an element that can be clicked").click();
        turn().await;
    }

    /// Waits a second at most: what is said of a text may wait for a pause in typing.
    async fn until(&self, selector: &str) {
        for _ in 0..33 {
            if !self.all(selector).is_empty() {
                return;
            }
            turn().await;
        }
    }

    /// Types over everything in the editor.
    async fn edit(&self, change: impl FnOnce(String) -> String) {
        let init = web_sys::InputEventInit::new();
        init.set_bubbles(true);
        init.set_input_type("insertFromPaste");
        let event = InputEvent::new_with_event_init_dict("input", &init).expect("an event");
        self.edit_with(&event, change).await;
    }

    /// Gives the editor another text, and this event.
    async fn edit_with(&self, event: &Event, change: impl FnOnce(String) -> String) {
        let area = self.one("#manifest-text").dyn_into::<HtmlTextAreaElement>();
        let area = area.expect("a text area");
        area.set_value(&change(area.value()));
        area.dispatch_event(event).expect("an event that is taken");
        turn().await;
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.0.remove();
    }
}

/// Lets the page draw.
async fn turn() {
    for _ in 0..3 {
        let promise = web_sys::js_sys::Promise::new(&mut |done, _| {
            if let Some(window) = web_sys::window() {
                window
                    .set_timeout_with_callback_and_timeout_and_arguments_0(&done, 10)
                    .expect("a timer");
            }
        });
        JsFuture::from(promise).await.expect("a timer that fires");
    }
}

#[wasm_bindgen_test]
async fn the_editor_reports_a_wrong_field_at_its_line() {
    let page = Mount::page().await;
    assert_eq!(page.all(".diag").len(), 0);
    page.edit(|text| text.replace("replicas: 3", "replicsa: 3"))
        .await;
    page.until(".diag").await;
    let problem = page.text(".diag");
    assert!(problem.contains("line 8:"), "{problem}");
    assert!(
        problem.contains("unknown field \"spec.replicsa\""),
        "{problem}"
    );
    page.edit(|text| text.replace("replicsa: 3", "replicas: 3"))
        .await;
    assert_eq!(page.all(".diag").len(), 0);
}

#[wasm_bindgen_test]
async fn a_text_that_comes_with_a_plain_event_is_read() {
    let page = Mount::page().await;
    let init = web_sys::EventInit::new();
    init.set_bubbles(true);
    let event = Event::new_with_event_init_dict("input", &init).expect("an event");
    page.edit_with(&event, |text| text.replace("replicas: 3", "replicsa: 3"))
        .await;
    page.until(".diag").await;
    assert!(page.text(".diag").contains("spec.replicsa"));
}

/// The picture of a view, and nothing else.
#[component]
fn Picture(props: &PictureProps) -> Html {
    html! { <ClusterPicture view={props.view.0.clone()} size={(720, 436)} words={Words::here()} moving=false
    on_open={Callback::noop()} on_object={Callback::noop()}/> }
}

#[derive(Clone, PartialEq)]
struct ViewRef(Rc<ClusterView>);

#[derive(Properties, PartialEq)]
struct PictureProps {
    view: ViewRef,
}

async fn picture(view: Rc<ClusterView>) -> Mount {
    let mount = Mount::new();
    let props = PictureProps {
        view: ViewRef(view),
    };
    yew::Renderer::<Picture>::with_root_and_props(mount.0.clone(), props).render();
    turn().await;
    mount
}

#[wasm_bindgen_test]
async fn the_stage_draws_what_the_view_says() {
    let mut session = crate::engine::first("birth");
    let none = picture(session.view()).await;
    assert_eq!(none.all(".pod").len(), 0);

    session.seek(Seek::Event(session.timeline().events));
    let view = session.view();
    let drawn = picture(view.clone()).await;
    let pods = view.nodes.iter().flat_map(|node| node.pods.iter());
    let names: Vec<&str> = pods.map(|pod| &*pod.object.name).collect();
    assert_eq!(names.len(), 3);
    let labels: Vec<String> = drawn
        .all(".pod")
        .iter()
        .filter_map(|pod| pod.get_attribute("aria-label"))
        .collect();
    for name in names {
        let label = labels.iter().find(|label| label.contains(name));
        assert!(
            label.is_some_and(|label| label.contains("Running")),
            "{name}: {labels:?}"
        );
    }
    for node in view.nodes.iter() {
        let selector = ["[aria-label^='", &node.name, "']"].concat();
        assert_eq!(drawn.all(&selector).len(), 1, "{}", node.name);
    }
}

const FORWARD: &str = "[aria-label='One step forward']";
const BACK: &str = "[aria-label='One step back']";

#[wasm_bindgen_test]
async fn the_transport_steps_forward_and_back() {
    let page = Mount::page().await;
    let mut seen = vec![page.text(".clock")];
    for _ in 0..6 {
        page.click(FORWARD).await;
        let now = page.text(".clock");
        assert!(!seen.contains(&now), "{now} follows {seen:?}");
        seen.push(now);
    }
    for before in seen.iter().rev().skip(1) {
        page.click(BACK).await;
        assert_eq!(page.text(".clock"), *before);
    }
    assert!(page.one(BACK).has_attribute("disabled"));
}

#[wasm_bindgen_test]
async fn the_explanation_has_the_words_of_the_current_event() {
    let page = Mount::page().await;
    let words = Words::here();
    let mut session = crate::engine::first("birth");
    for _ in 0..8 {
        page.click(FORWARD).await;
        session.step(StepSize::Action);
        let event = session.view().cursor.event;
        let explain = session.explain(event).expect("an explanation");
        let title = words.part(&explain.msg, ".title").expect("a title");
        assert_eq!(page.text(".explain h2.title"), title.replace('`', ""));
        assert!(page.text(".explain .head").contains(&event.to_string()));
        let what = words.part(&explain.msg, ".what").expect("what happens");
        let text = page.text(".explain .prose");
        let first = what.lines().next().unwrap_or_default().replace('`', "");
        assert!(text.contains(&first), "{first} is in {text}");
    }
}

#[wasm_bindgen_test]
async fn a_broken_node_shows_its_timers() {
    let page = Mount::page().await;
    page.click("[aria-label='To the end of what is known']")
        .await;
    assert_eq!(page.all(".timer").len(), 0);
    let menus = page.all(".stagehead .menu");
    let palette = menus
        .first()
        .cloned()
        .and_then(|menu| menu.dyn_into::<HtmlElement>().ok());
    palette.expect("the fault palette").click();
    turn().await;
    // The first kind of fault opens its form, which names a node.
    page.click(".palette .what").await;
    page.click(".faultform [type=submit]").await;
    let timers = page.all(".timer");
    let lease = timers.iter().filter_map(|timer| timer.text_content());
    let of_node: Vec<String> = lease.filter(|text| text.contains("node-1")).collect();
    assert_eq!(of_node.len(), 1, "{of_node:?}");
    assert!(
        of_node.iter().all(|text| text.contains("Lease of node-1")),
        "{of_node:?}"
    );
    assert!(page.text(".stagehead").contains("Heal node-1"));
}
