/** What an operator may write under `redis_registry:`; the reporter reads the same keys. */
export {
  type RedisRegistryConfig,
  redisRegistryConfig,
} from "@inode-gateway/reporter";
