"""Real Presidio behind HTTP, to compare with: its two engines, and routes that answer as its two services do.

spaCy's models cannot be had from a package registry. A blank pipeline cuts the text into words and a component
gives each word itself as its lemma, so that context words are looked for as they stand. There is no named-entity
recognition: of Presidio's own recognisers those that work by pattern take part.

Prints one line with the port once it listens on 127.0.0.1, and stops when its standard input closes.
"""

import json
import logging
import os
import sys
import threading

import spacy
from flask import Flask, Response, jsonify, request
from presidio_analyzer import AnalyzerEngine, AnalyzerRequest, BatchAnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_anonymizer import AnonymizerEngine, DeanonymizeEngine
from presidio_anonymizer.entities import InvalidParamError
from presidio_anonymizer.services.app_entities_convertor import AppEntitiesConvertor
from spacy.language import Language
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.serving import make_server

LANGUAGES = ["en", "nl"]


@Language.component("word_is_lemma")
def word_is_lemma(doc):
    for token in doc:
        token.lemma_ = token.text
    return doc


class BlankEngine(SpacyNlpEngine):
    """Words and stop words of each language, no model."""

    def __init__(self):
        super().__init__(models=[{"lang_code": code, "model_name": "blank"} for code in LANGUAGES])
        self.nlp = {}
        for code in LANGUAGES:
            pipeline = spacy.blank(code)
            pipeline.add_pipe("word_is_lemma")
            self.nlp[code] = pipeline


analyzer = AnalyzerEngine(nlp_engine=BlankEngine(), supported_languages=LANGUAGES)
batch = BatchAnalyzerEngine(analyzer)
anonymizer = AnonymizerEngine()
deanonymizer = DeanonymizeEngine()

app = Flask("reference")


class Analyzer:
    """The routes of the analyzer service: whatever goes wrong is 500, a TypeError is 400."""

    @staticmethod
    def analyze():
        try:
            asked = AnalyzerRequest(request.get_json())
            if not asked.text:
                raise Exception("No text provided")
            if not asked.language:
                raise Exception("No language provided")
            analyzer.get_supported_entities(asked.language)
            many = isinstance(asked.text, list)
            texts = asked.text if many else [asked.text]
            found = batch.analyze_iterator(
                texts=texts,
                language=asked.language,
                batch_size=min(len(texts), 500),
                n_process=1,
                correlation_id=asked.correlation_id,
                score_threshold=asked.score_threshold,
                entities=asked.entities,
                return_decision_process=asked.return_decision_process,
                ad_hoc_recognizers=asked.ad_hoc_recognizers,
                context=asked.context,
                allow_list=asked.allow_list,
                allow_list_match=asked.allow_list_match,
                regex_flags=asked.regex_flags,
            )
            for result in (result for results in found for result in results):
                del result.recognition_metadata
            body = json.dumps(found if many else found[0], default=lambda o: o.to_dict(), sort_keys=True)
            return Response(body, content_type="application/json")
        except TypeError as error:
            said = f"Failed to parse /analyze request for AnalyzerEngine.analyze(). {error.args[0]}"
            return jsonify(error=said), 400
        except Exception as error:
            return jsonify(error=error.args[0]), 500

    @staticmethod
    def listed(what):
        try:
            return jsonify(what(request.args.get("language"))), 200
        except Exception as error:
            return jsonify(error=error.args[0]), 500


app.add_url_rule("/analyze", view_func=Analyzer.analyze, methods=["POST"])
app.add_url_rule(
    "/supportedentities", "entities", lambda: Analyzer.listed(lambda code: analyzer.get_supported_entities(code))
)
app.add_url_rule(
    "/recognizers",
    "recognizers",
    lambda: Analyzer.listed(lambda code: [one.name for one in analyzer.get_recognizers(code)]),
)


def asked():
    content = request.get_json()
    if not content:
        raise BadRequest("Invalid request json")
    return content


@app.post("/anonymize")
def anonymize():
    content = asked()
    operators = AppEntitiesConvertor.operators_config_from_json(content.get("anonymizers"))
    if AppEntitiesConvertor.check_custom_operator(operators):
        raise BadRequest("Custom type anonymizer is not supported")
    results = AppEntitiesConvertor.analyzer_results_from_json(content.get("analyzer_results"))
    done = anonymizer.anonymize(text=content.get("text", ""), analyzer_results=results, operators=operators)
    return Response(done.to_json(), mimetype="application/json")


@app.post("/deanonymize")
def deanonymize():
    content = asked()
    text = content.get("text", "")
    entities = AppEntitiesConvertor.deanonymize_entities_from_json(content)
    operators = AppEntitiesConvertor.operators_config_from_json(content.get("deanonymizers"))
    done = deanonymizer.deanonymize(text=text, entities=entities, operators=operators)
    return Response(done.to_json(), mimetype="application/json")


app.add_url_rule("/anonymizers", "anonymizers", lambda: jsonify(anonymizer.get_anonymizers()))
app.add_url_rule("/deanonymizers", "deanonymizers", lambda: jsonify(deanonymizer.get_deanonymizers()))
app.add_url_rule("/health", "health", lambda: "Presidio Analyzer service is up")


@app.errorhandler(InvalidParamError)
def invalid(error):
    return jsonify(error=error.err_msg), 422


@app.errorhandler(HTTPException)
def refused(error):
    return jsonify(error=error.description), error.code


@app.errorhandler(Exception)
def failed(error):
    # The two services are one program here. The analyzer has no handler like this one: what it does not catch
    # ends in Flask's own words.
    if request.path in ("/analyze", "/recognizers", "/supportedentities"):
        from werkzeug.exceptions import InternalServerError

        return jsonify(error=InternalServerError.description), 500
    return jsonify(error="Internal server error"), 500


def main():
    logging.disable(logging.CRITICAL)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
