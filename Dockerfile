# The application for docker-compose.yml: pinned packages without the embedded servers and the
# development tools; torch for TORCH_BACKEND (cpu, or a CUDA version as uv names it: cu130).
FROM python:3.11-slim-bookworm
ARG TORCH_BACKEND=cpu
ENV PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false VAR_DIR=/data
WORKDIR /app

# only what the packages depend on, so that a change of code does not install them anew
COPY pyproject.toml requirements.lock ./
COPY annotator/__init__.py annotator/
COPY annotator/bootstrap annotator/bootstrap
RUN python -m annotator.bootstrap.image uv > uv.txt \
 && python -m annotator.bootstrap.image excluded > excluded.txt \
 && pip install --no-cache-dir --require-hashes -r uv.txt \
 && uv pip install --system --no-cache --compile-bytecode \
      --override excluded.txt --constraint requirements.lock -r pyproject.toml --extra web \
 && uv pip install --system --no-cache --compile-bytecode \
      --torch-backend "$TORCH_BACKEND" "$(python -m annotator.bootstrap.image torch)"

COPY . .
RUN useradd --create-home --uid 10001 annotator \
 && install --directory --owner annotator /data \
 && python -m compileall -q annotator labeling workers trainer
USER annotator
VOLUME /data
EXPOSE 8000
