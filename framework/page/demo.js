/* SPDX-License-Identifier: BSD-2-Clause */
"use strict";

/*
 * Buttons of the demo, if the server is it: what it can be told to do, it
 * tells at /demo. It holds them to their limits, and this page shows them.
 */

const DEMO_ROUTE = "/demo";
const DEMO_ASK_MS = 500;

/* asked: "no", "asking", "answered" */
const demo = { asked: "no", look: "", timer: null };

function isDemo(answer) {
	return answer.routes.some((route) => route.route === DEMO_ROUTE);
}

function demoOutcome(state) {
	const counts = `${grouped.format(state.answers)} answers, `
	    + `${grouped.format(state.failed)} failed`;

	if (state.running !== null)
		return `Running. ${demo.look}`;
	return state.last === null ? "Press one, and see below what it does."
	    : `Over: ${counts}.`;
}

/* What is told often is no news: the line changes at begin and end alone. */
function showDemo(state) {
	const running = state.running !== null;

	fill($("actions"), state.actions, (action) => {
		const button = make("button", "action",
		    make("b", "", action.title), make("span", "", action.about));

		button.type = "button";
		button.dataset.action = action.name;
		button.addEventListener("click", () => pressed(action));
		return button;
	}, (button, action) => {
		button.setAttribute("aria-disabled", `${running}`);
		button.classList.toggle("running",
		    state.running === action.name);
	});
	say($("outcome"), demoOutcome(state));
	$("progress").value = running && state.total_ms > 0
	    ? 1 - state.left_ms / state.total_ms : 0;
	$("demo").hidden = false;
	clearTimeout(demo.timer);
	if (running)
		demo.timer = setTimeout(askDemo, DEMO_ASK_MS);
}

async function askDemo() {
	try {
		const answer = await fetch("demo", { cache: "no-store" });

		if (answer.ok)
			showDemo(await answer.json());
	} catch {
		/* The stream says that the server is gone. */
	}
	demo.asked = "answered";
}

async function pressed(action) {
	if ($("actions").querySelector(".running"))
		return;
	demo.look = action.look;
	try {
		const answer = await fetch(`demo/${action.name}`,
		    { method: "POST", cache: "no-store" });

		if (answer.ok)
			showDemo(await answer.json());
		else
			say($("outcome"), `It says ${answer.status}: `
			    + (await answer.text()).slice(0, 200));
	} catch {
		say($("outcome"), "The server does not answer.");
	}
}

/* Once for each server. Whether it has buttons is known before all is shown. */
function lookForDemo(answer) {
	if (demo.asked !== "no")
		return;
	$("demo").hidden = true;
	demo.asked = isDemo(answer) ? "asking" : "answered";
	if (demo.asked === "asking")
		askDemo();
}
