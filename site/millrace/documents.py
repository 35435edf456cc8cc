"""The GraphQL that the client speaks, as text; a test validates it against the published schema."""

from typing import Final

# Without what may be large: that comes when it is asked for.
ROW: Final = """fragment Row on Task {
  number name kind { name } status reason queue { name } priority createdBy { username }
  createdAt runAfter startedAt finishedAt queuedSeconds runSeconds valueText
  progress { fraction message secondsLeft } error { type message }
}"""
FULL: Final = (
    """fragment Full on Task {
  ...Row statusText params result timeoutSeconds maxAttempts idempotencyKey clonedFrom { number }
  error { type message traceback fingerprint }
}
"""
    + ROW
)
TASK: Final = (
    """query ($id: ID!) {
  task(id: $id) { ...Full waiting { position queuePaused workersServing estimatedStart } }
}
"""
    + FULL
)
TASKS: Final = (
    """query ($query: String, $filter: TaskFilter, $orderBy: TaskOrder, $first: Int, $after: String) {
  tasks(query: $query, filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { ...Row } pageInfo { hasNextPage endCursor }
  }
}
"""
    + ROW
)
STATUSES: Final = "query ($ids: [ID!]) { tasks(filter: {ids: $ids}, first: 100) { nodes { number status } } }"
OUTCOMES: Final = "query ($ids: [ID!]) { tasks(filter: {ids: $ids}, first: 100) { nodes { ...Full } } }\n" + FULL
COUNTS: Final = """query ($query: String) {
  taskCounts(query: $query) { queueing running finished failed cancelled exact }
}"""
CHANGES: Final = (
    """query ($after: String, $first: Int, $fromNow: Boolean) {
  taskChanges(after: $after, first: $first, fromNow: $fromNow) { tasks { ...Row } deletedIds cursor more }
}
"""
    + ROW
)
CREATE: Final = (
    """mutation ($input: [CreateTaskInput!]!) {
  createTasks(input: $input) { tasks { ...Row } userErrors { field message code } }
}
"""
    + ROW
)
ACTS: Final = {
    name: f"""mutation ($input: {input_}!) {{
  {name}(input: $input) {{ task {{ ...Full }} userErrors {{ field message code }} }}
}}
"""
    + FULL
    for name, input_ in (("cancelTask", "TaskActionInput"), ("retryTask", "RetryTaskInput"))
}
DELETE: Final = """mutation ($input: TaskActionInput!) {
  deleteTask(input: $input) { userErrors { field message code } }
}"""
OUTPUT: Final = """query ($id: ID!, $attempt: Int, $after: Float) {
  task(id: $id) {
    status
    attempt(number: $attempt) {
      number status
      output(after: $after) { pieces { position bytes texts { stream text } } totalBytes leftOutBytes }
    }
  }
}"""
ARTIFACTS: Final = """query ($id: ID!) {
  task(id: $id) { artifacts { name contentType bytes url sha256 } }
}"""
KINDS: Final = "{ kinds { name doc schema served queue { name } timeoutSeconds maxAttempts viewerCanCreate } }"
_WORKER: Final = """{
  name host alive draining order queues concurrency rssBytes startedAt lastSeenAt
  environment { python sandbox } running { number name startedAt }
}"""
_QUEUE: Final = """{
  name paused ready scheduled running oldestSeconds createdLastMinute endedLastMinute exact workers
}"""
WORKERS: Final = f"{{ workers {_WORKER} }}"
QUEUES: Final = f"{{ queues {_QUEUE} }}"
OVERVIEW: Final = f"""{{
  taskCounts {{ queueing running finished failed cancelled exact }}
  queues {_QUEUE}
  workers {_WORKER}
  running: tasks(filter: {{status: [RUNNING]}}, orderBy: {{field: STARTED_AT, direction: DESC}}, first: 50) {{
    nodes {{ ...Row }}
  }}
  failed: tasks(filter: {{status: [FAILED]}}, first: 5) {{ nodes {{ ...Row }} }}
}}
{ROW}"""
EVERY: Final = (
    *(TASK, TASKS, STATUSES, OUTCOMES, COUNTS, CHANGES, CREATE, *ACTS.values(), DELETE),
    *(OUTPUT, ARTIFACTS, KINDS, WORKERS, QUEUES, OVERVIEW),
)
