// The page of an expression with layers, which open and close.

import {openable} from "../exploring/groups.js";
import {start} from "./page.js";

start(openable);
