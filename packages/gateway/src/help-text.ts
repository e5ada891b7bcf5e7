/** What `inode-gateway --help` prints. */
export const helpText = `Inode Gateway receives OTLP, finds the container behind each Resource's cgroup inode, and exports OTLP.

Usage
  inode-gateway [run] --config FILE [--set KEY=VALUE]
                                                      run until SIGTERM or Ctrl-C
  inode-gateway validate --config FILE                check the configuration, start nothing
  inode-gateway print-config --config FILE            print it merged and substituted
      --format yaml|json   --mode redacted|unredacted   --validate
  inode-gateway components                            list what a configuration may name, as YAML
  inode-gateway explain --config FILE --boot-id UUID --inode NUMBER
      [--device NUMBER] [--node-name NAME] [--attribute KEY=VALUE]...
                                                      say which container that is, or why none
  inode-gateway registry nodes|list|export --config FILE [--boot-id UUID]
                                                      look inside the registry
  inode-gateway registry import --config FILE [LINES_FILE]
                                                      write what export printed, or standard input
      --registry ID        which registry extension, when there are several
  inode-gateway --version | --help

Configuration
  --config may be a path, file:PATH, env:NAME or yaml:a::b: VALUE, and may be given several times;
  later ones win, maps are merged, lists are replaced. --set a.b.c=VALUE comes last.

Signals
  SIGTERM, SIGINT  deliver what is held, within 25 s; a second one ends it at once
  SIGHUP           load the configuration again; wrong, it changes nothing

Exit codes
  0  done, or stopped by a signal and drained
  1  failed while starting or running, or stopped at once by a second signal
  2  wrong command line or configuration; nothing was started

A first configuration: configs/standalone.yaml. Every key: the README of each component.
`;
