import time
from tests.migrations.support import project_at
def test_x(server, tmp_path):
    with project_at(server, tmp_path, "new_model") as p:
        p.use("after")
        f = p.revise("add task")
        print(f.read_text())
        t=time.time()
        p.there_and_back()
        print(time.time()-t)
        print(p.schema())
