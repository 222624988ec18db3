"""Indexes of vectors that Python has, as engines of the benchmarks.

    python3 vectors.py LIBRARY      answers commands, an object of JSON on each line, with an object on each line
    python3 vectors.py LIBRARY -v   prints the library's version

Vectors lie in files of little-endian singles, rows one after the other; answers are little-endian 64-bit integers. The
time that counts is taken here, around the call of the library, so that nothing else is in it.
"""

import json
import os
import sys
import time

import numpy


def matrix(command):
    return numpy.fromfile(command["file"], dtype="<f4").reshape(-1, command["dimensions"])


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Hnswlib:
    def __init__(self, options):
        import hnswlib

        self.threads = options["threads"]
        self.connections, self.ef_construction = options["connections"], options["ef_construction"]
        self.index = hnswlib.Index("l2" if options["metric"] == "L2" else "ip", options["dimensions"])

    @staticmethod
    def version():
        from importlib.metadata import version

        return version("hnswlib")

    def build(self, vectors):
        self.index.init_index(len(vectors), ef_construction=self.ef_construction, M=self.connections)
        self.index.add_items(vectors, num_threads=self.threads)

    def save(self, file):
        self.index.save_index(file)

    def restore(self, file, vectors):
        self.index.load_index(file, max_elements=len(vectors))

    def search(self, queries, k, effort):
        self.index.set_ef(max(effort, k))
        return self.index.knn_query(queries, k, num_threads=1)[0]

    def delete(self, rows):
        for row in rows:
            self.index.mark_deleted(row)

    def insert(self, rows, vectors):
        self.index.add_items(vectors, rows, num_threads=self.threads)  # what was deleted is linked anew


class Faiss:
    def __init__(self, options):
        import faiss

        self.faiss, self.threads = faiss, options["threads"]
        metric = faiss.METRIC_L2 if options["metric"] == "L2" else faiss.METRIC_INNER_PRODUCT
        self.index = faiss.IndexHNSWFlat(options["dimensions"], options["connections"], metric)
        self.index.hnsw.efConstruction = options["ef_construction"]
        self.selector = None

    @staticmethod
    def version():
        import faiss

        return faiss.__version__

    def build(self, vectors):
        self.faiss.omp_set_num_threads(self.threads)
        self.index.add(vectors)

    def save(self, file):
        self.faiss.write_index(self.index, file)

    def restore(self, file, vectors):
        self.index = self.faiss.read_index(file)

    def search(self, queries, k, effort):
        self.faiss.omp_set_num_threads(1)
        parameters = self.faiss.SearchParametersHNSW(efSearch=effort, sel=self.selector)
        return self.index.search(queries, k, params=parameters)[1]

    def filter(self, matching):
        self.bits = None if matching is None else numpy.packbits(matching, bitorder="little")
        self.selector = None if matching is None else self.faiss.IDSelectorBitmap(self.bits)


class Usearch:
    def __init__(self, options):
        from usearch.index import Index

        self.threads = options["threads"]
        self.index = Index(
            ndim=options["dimensions"],
            metric="l2sq" if options["metric"] == "L2" else "cos",
            dtype="f32",
            connectivity=options["connections"],
            expansion_add=options["ef_construction"],
        )

    @staticmethod
    def version():
        from importlib.metadata import version

        return version("usearch")

    def build(self, vectors):
        self.index.add(numpy.arange(len(vectors)), vectors, threads=self.threads)

    def save(self, file):
        self.index.save(file)

    def restore(self, file, vectors):
        self.index.load(file)

    def search(self, queries, k, effort):
        self.index.expansion_search = effort
        found = self.index.search(queries, k, threads=1)
        keys = numpy.array(found.keys, dtype="<i8")
        if keys.ndim == 2:  # a single query has no more than it found
            keys[numpy.arange(k)[None, :] >= found.counts[:, None]] = -1
        return keys

    def delete(self, rows):
        self.index.remove(numpy.asarray(rows))

    def insert(self, rows, vectors):
        self.index.add(numpy.asarray(rows), vectors, threads=self.threads)


class Svs:
    bits = (4, 8)

    def __init__(self, options):
        import svs

        self.svs, self.options = svs, options
        is_l2 = options["metric"] == "L2"
        self.distance = svs.DistanceType.L2 if is_l2 else svs.DistanceType.MIP
        self.parameters = svs.VamanaBuildParameters(
            graph_max_degree=2 * options["connections"],
            window_size=options["ef_construction"],
            alpha=1.2 if is_l2 else 0.95,
        )

    @staticmethod
    def version():
        from importlib.metadata import version

        return version("scalable-vs")

    def loader(self, vectors):
        """Compressed vectors are made from a file only."""
        file = os.path.join(self.options["directory"], "vectors.fvecs")
        self.svs.write_vecs(vectors, file)
        primary, residual = self.bits
        file = self.svs.VectorDataLoader(file, self.svs.DataType.float32)
        return self.svs.LVQLoader(file, primary=primary, residual=residual)

    def prepare(self, vectors):
        self.loaded = self.loader(vectors)

    def build(self, vectors):
        self.index = self.svs.Vamana.build(
            self.parameters, self.loaded, self.distance, num_threads=self.options["threads"]
        )
        self.index.num_threads = 1

    def save(self, file):
        os.makedirs(file)
        self.index.save(*(os.path.join(file, part) for part in ("settings", "graph", "vectors")))

    def saved(self, data):
        return self.svs.LVQLoader(data)

    def restore(self, file, vectors):
        settings, graph, data = (os.path.join(file, part) for part in ("settings", "graph", "vectors"))
        self.index = self.svs.Vamana(settings, self.svs.GraphLoader(graph), self.saved(data), self.distance)
        self.index.num_threads = 1

    def search(self, queries, k, effort):
        self.index.search_window_size = max(effort, k)
        return self.index.search(queries, k)[0]


class SvsFloat16(Svs):
    def prepare(self, vectors):
        self.loaded = vectors.astype(numpy.float16)

    def saved(self, data):
        return self.svs.VectorDataLoader(data, self.svs.DataType.float16)


LIBRARIES = {"faiss": Faiss, "hnswlib": Hnswlib, "svs": Svs, "svs-float16": SvsFloat16, "usearch": Usearch}


class Server:
    def __init__(self, library):
        self.library = library
        self.index = None

    def open(self, command):
        self.index = LIBRARIES[self.library](command)
        return {}

    def load(self, command):
        vectors, kept = matrix(command), command["kept"]
        if hasattr(self.index, "prepare"):
            self.index.prepare(vectors)
        before, start = resident_bytes(), time.perf_counter()
        if kept and os.path.exists(kept):
            self.index.restore(kept, vectors)
        else:
            self.index.build(vectors)
        seconds = time.perf_counter() - start
        resident = resident_bytes() - before
        if kept and not os.path.exists(kept):
            self.index.save(kept + ".unfinished")
            os.rename(kept + ".unfinished", kept)
        return {"seconds": seconds, "bytes": max(resident, 0)}

    def search(self, command):
        queries = matrix(command)
        start = time.perf_counter()
        found = self.index.search(queries, command["k"], command["effort"])
        seconds = time.perf_counter() - start
        numpy.ascontiguousarray(found).astype("<i8").tofile(command["answers"])
        return {"seconds": seconds}

    def filter(self, command):
        file = command["file"]
        self.index.filter(None if file is None else numpy.fromfile(file, dtype=numpy.uint8))
        return {}

    def delete(self, command):
        self.index.delete(numpy.fromfile(command["rows"], dtype="<u8"))
        return {}

    def insert(self, command):
        self.index.insert(numpy.fromfile(command["rows"], dtype="<u8"), matrix(command))
        return {}


def main():
    library = sys.argv[1]
    if sys.argv[2:] == ["-v"]:
        print(LIBRARIES[library].version())
        return
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a library that prints does not disturb
    server = Server(library)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(server, command["do"])(command)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
