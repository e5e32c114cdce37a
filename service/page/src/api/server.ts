// Where this server answers, for programs that are to be copied.
let grpcPort = 50051;
let needsToken = false;

export function setServer(port: number, token: boolean): void {
  grpcPort = port;
  needsToken = token;
}

export const server = {
  get grpc(): string {
    return `${location.hostname}:${grpcPort}`;
  },
  get needsToken(): boolean {
    return needsToken;
  },
};
