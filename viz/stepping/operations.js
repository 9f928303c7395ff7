// The page of an expression whose operations are its steps.

import {start} from "./page.js";

start();
