# infraspec in an image: the static suite, and with `--build-arg EXTRAS=live` what asks AWS.
#   docker build -t infraspec .
#   docker run --rm -v "$PWD:/infra:ro" infraspec check
FROM python:3.12-slim AS build
WORKDIR /src
COPY . .
RUN python -m pip install --no-cache-dir "hatchling>=1.25" && python -m hatchling build --target wheel --directory /dist

FROM python:3.12-slim
ARG EXTRAS=allure
COPY --from=build /dist /dist
# hadolint ignore=DL3013
RUN for wheel in /dist/*.whl; do python -m pip install --no-cache-dir "${wheel}[${EXTRAS}]" || exit 1; done \
    && rm -r /dist && useradd --uid 10001 --create-home infraspec
USER 10001
WORKDIR /infra
ENTRYPOINT ["infraspec"]
CMD ["check"]
